"""Ask the sandbox for everything that can be read, through links that a reader has: ids come from answers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from contract.answers import MOUNTS, CheckedApp
from werkzeug.test import Client

from nectar_notebooks.sandbox import contract

#: How many objects of a kind are asked for one by one.
OF_EACH = 6


def walk(sandbox: Any, version: str) -> CheckedApp:
    """Ask every GET of the contract of `version`, in both spellings; return what was seen and what did not fit."""
    checked = CheckedApp(sandbox.app, documented_only=sandbox.documented_only)
    client = Client(checked)
    document = contract.document(version)

    def get(path: str, **query: Any) -> Any:
        answer = client.get(MOUNTS[version] + path, headers={"X-API-Key": sandbox.key}, query_string=query)
        return answer.get_json() if answer.status_code == 200 else {}

    ids = _ids(get)
    for path, item in document["paths"].items():
        if "get" not in item:
            continue
        name = path.partition("{")[2].partition("}")[0]
        for object_id in ids[name][:OF_EACH] if name else [""]:
            filled = path.replace(f"{{{name}}}", object_id)
            answer = get(filled)
            pages = answer.get("totalPages", 1) if isinstance(answer, dict) else 1
            for page in range(2, min(pages, 4) + 1):
                get(filled, page=page)
        if name:
            get(path.replace(f"{{{name}}}", "no-such-id"))
    return checked


def _ids(get: Any) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = defaultdict(list)
    for company in get("/company"):
        ids["company_id"].append(company["id"])
        ids["site_id"] += [site["id"] for site in company["sites"]]
        for connection in get(f"/connection/company/{company['id']}", limit=500).get("connections", ()):
            ids["connection_id"].append(connection["id"])
            ids["account_id"] += [account["id"] for account in connection["accounts"]]
            ids["meter_id"] += [meter for account in connection["accounts"] for meter in account["meters"]]
        for bill in get(f"/document/company/{company['id']}").get("documents", ()):
            ids["document_id"].append(bill["id"])
            ids["usage_data_id"] += [record["id"] for record in bill["usageData"]]
        for things, name in (("invitation", "invitation_id"), ("job", "job_id")):
            ids[name] += [row["id"] for row in get(f"/{things}/company/{company['id']}").get(f"{things}s", ())]
    return ids
