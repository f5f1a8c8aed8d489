"""Nectar's connect page in a web application: the server makes the invitation, the page embeds it and asks anew.

Put a long random text into ``APP_SECRET_KEY``, the company whose logins are asked for (an id or a name) into
``NECTAR_COMPANY``, and your key where ``nn.connect()`` finds it; run ``flask --app invitations_flask run`` and open
``/connect``. Without a key: run ``nectar sandbox serve`` beside it, set ``NECTAR_ENVIRONMENT=local``, and put
``http://127.0.0.1:8765`` and the key that it prints into ``NECTAR_BASE_URL`` and ``NECTAR_API_KEY``.

The key stays on the server; the browser gets the address of one invitation, which ends after an hour and is good for
one login. When it has expired or was revoked before it was used, the page asks the server for a fresh one and shows
that.
"""

import os

from flask import Flask, Response, abort, request, session

import nectar_notebooks as nn
from nectar_notebooks.invitations import page_address, standing

app = Flask(__name__)
app.secret_key = os.environ["APP_SECRET_KEY"]
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
nectar = nn.connect()

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Connect your utility</title>
<h1>Connect your utility</h1>
<p id="said" role="status">One moment, please.</p>
<iframe id="page" title="Nectar's page: enter your utility's login" width="1000" height="760" hidden
  sandbox="allow-forms allow-same-origin allow-scripts allow-popups" referrerpolicy="no-referrer"></iframe>
<script>
const said = document.getElementById("said"), page = document.getElementById("page");
async function ask(method) {
  const answer = await fetch("/connect/link", {method, headers: {"X-Connect": "1"}});
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
}
async function fresh() {
  page.src = (await ask("POST")).url;
  page.hidden = false;
  said.textContent = "Enter your utility's login below.";
}
async function look() {
  const {standing} = page.hidden ? {standing: "none"} : await ask("GET");
  if (["none", "expired", "revoked"].includes(standing)) await fresh();
  if (["used_up", "fulfilled"].includes(standing)) {
    said.textContent = "Thank you, we have your login.";
    return;  // what came of it stays on the page
  }
  setTimeout(go, 3000);
}
function go() {
  look().catch(() => {
    said.textContent = "This does not work at the moment; it is tried again.";
    setTimeout(go, 3000);
  });
}
go();
</script>
</html>
"""


def company_of_user() -> str:
    """Say whose login this is: look it up by whom your application has logged in."""
    return os.environ["NECTAR_COMPANY"]


@app.get("/connect")
def connect() -> Response:
    """Show the page; what is framed can only be Nectar's, or an embedded sandbox's on this machine."""
    frames = "frame-src https://*.nectarclimate.com http://127.0.0.1:*"
    return Response(PAGE, headers={"Content-Security-Policy": frames}, content_type="text/html; charset=utf-8")


@app.post("/connect/link")
def make_link() -> dict[str, str | None]:
    """Make an invitation for whoever asks, and remember which one is theirs."""
    if "X-Connect" not in request.headers:  # no form of another site can send it
        abort(403)
    made = nectar.invite(company_of_user(), expires_in=3600, max_uses=1, again=True)
    session["invitation"] = made["invitation_id"].iloc[0]
    return {"url": page_address(nectar, made)}


@app.get("/connect/link")
def show_link() -> dict[str, str]:
    """Say how their invitation stands: open, expired, revoked, used_up, fulfilled."""
    if "invitation" not in session:
        abort(404)
    return {"standing": standing(nectar.invitation(session["invitation"]))}


@app.errorhandler(nn.NectarError)
def failed(error: nn.NectarError) -> tuple[dict[str, str], int]:
    """Keep the details for the log; the page tries again."""
    app.logger.warning("Nectar: %s", error)
    return {"standing": "unknown"}, 503
