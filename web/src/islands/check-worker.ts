// The worker of `check`: an entry of its own, as its answer carries a content policy of its own (keeper/web/app.py).
import "../verify/worker.js";
