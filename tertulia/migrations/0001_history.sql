-- Which history this database tells. A restored backup gets another id, so that running programs let go of what they
-- hold of the one before. It is not what clients compare: their positions carry tags of events.
CREATE TABLE tertulia.history (id uuid NOT NULL DEFAULT gen_random_uuid());
INSERT INTO tertulia.history DEFAULT VALUES;
