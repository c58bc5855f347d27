/** The list of drops: the server wrote it; this turns its moments into the reader's own time. */

import { tellTimes } from "./times.js";

tellTimes();
