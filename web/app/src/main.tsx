import { createRoot } from "react-dom/client";

import { App } from "./App";
import "./theme/base.css";
import "./theme/controls.css";
import "./theme/pages.css";
import "./theme/call.css";
import "./theme/panel.css";
import "./theme/prose.css";
import "./theme/chat.css";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");
createRoot(root).render(<App />);
