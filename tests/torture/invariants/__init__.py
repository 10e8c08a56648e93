"""The fifteen promises of the conversation log, each as a function from a record to what breaks it."""
