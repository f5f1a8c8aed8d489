"""Every endpoint, in reading order: the endpoint table of the documentation as data.

The reference writes paths resource first (``/site/company/{company_id}``); the nested spelling of the guides is
added to each by `openapi`. What the bodies and answers are stands in `inputs`, `objects`, `bills` and `sharing`.
"""

from __future__ import annotations

from typing import Final

from nectar_notebooks.sandbox.contract.operations import JSON, MULTIPART, Body, Operation, page_of
from nectar_notebooks.sandbox.contract.parameters import (
    BILL_FILTERS,
    CONNECTION_FILTERS,
    INTERVAL_FILTERS,
    PAGE,
    USAGE_FILTERS,
)
from nectar_notebooks.sandbox.contract.schemas import Json, ref

__all__ = ["OPERATIONS", "PAGES", "TAGS"]

#: Groups of endpoints, in reading order.
TAGS: Final = {
    "Access": "Is the key accepted, and whose is it.",
    "Companies": "The customers of the organization.",
    "Sites": "The places of a company.",
    "Connections": "Logins at providers, and whether they work.",
    "Invitations": "Links by which others add or repair a login.",
    "Magic links": "The older links; deprecated.",
    "Accounts": "Customer accounts found behind logins.",
    "Meters": "What measures.",
    "Bills": "Documents, the bills themselves.",
    "Usage": "What meters used, bill by bill.",
    "Intervals": "Smart-meter data (beta).",
    "Uploads": "Bills sent in as files; each upload is a job.",
    "Webhooks": "Where events are sent.",
}

_NO_ENVELOPE: Final = "The envelope of this list is taken to follow the pattern of the others."

#: Page schemas by name.
PAGES: Final[dict[str, Json]] = {
    "AccountPage": page_of("accounts", "Account", assumed=_NO_ENVELOPE),
    "ConnectionPage": page_of("connections", "Connection"),
    "DocumentPage": page_of("documents", "Document"),
    "IntervalPage": page_of("intervals", "Interval"),
    "InvitationPage": page_of("invitations", "Invitation", assumed=_NO_ENVELOPE),
    "JobPage": page_of("jobs", "Job", assumed=_NO_ENVELOPE),
    "MeterPage": page_of("meters", "Meter"),
    "SitePage": page_of("sites", "Site", assumed=_NO_ENVELOPE),
    "UsagePage": page_of("usageData", "UsageData"),
}

_NOT_IN_REFERENCE: Final = "Not in the part of the reference that was read."
_UNKNOWN_USER: Final = "an e-mail address that is no user's"
_FOREIGN_SITE: Final = "a site that is not the company's"
_TAKEN_LOGIN: Final = "the same provider and user name twice in a company"
_INACTIVE: Final = "a company that is not active"
_JSON_ONLY: Final = (JSON,)

_ACCESS: Final = (
    Operation("ping", "get", "/ping", "Access", "Is the key accepted", ref("Ping")),
    Operation("getTeam", "get", "/team", "Access", "The organization that owns the key", ref("Team")),
    Operation(
        "updateTeam", "patch", "/team", "Access", "Replace the members of the organization", ref("Team"),
        description="The caller stays a member.",
        body=Body("TeamUpdate"), refuses=(_UNKNOWN_USER,), assumed=_NOT_IN_REFERENCE,
    ),
)  # fmt: skip

_COMPANIES: Final = (
    Operation(
        "listCompanies", "get", "/company", "Companies", "All companies",
        {"type": "array", "items": ref("Company")},
        description="A bare list, without pages.",
    ),
    Operation(
        "createCompany", "post", "/company", "Companies", "Create a company", ref("Company"),
        status=201, status_assumed=True, body=Body("CompanyInput"), refuses=(_UNKNOWN_USER,),
    ),
    Operation("getCompany", "get", "/company/{company_id}", "Companies", "A company with its sites", ref("Company")),
    Operation(
        "updateCompany", "patch", "/company/{company_id}", "Companies", "Change a company", ref("Company"),
        description="`users` replaces the list; the caller stays in it.",
        body=Body("CompanyUpdate"), refuses=(_UNKNOWN_USER,),
    ),
    Operation(
        "deleteCompany", "delete", "/company/{company_id}", "Companies", "Delete a company", None,
        description="Answered at once, done in the background.", status=204,
        assumed="The deletion is documented, its path is not.",
    ),
)  # fmt: skip

_SITES: Final = (
    Operation(
        "listSites", "get", "/site/company/{company_id}", "Sites", "The sites of a company", ref("SitePage"),
        description="Company details carry the sites too.", parameters=(PAGE,), assumed=_NOT_IN_REFERENCE,
    ),
    Operation(
        "createSite", "post", "/site/company/{company_id}", "Sites", "Create a site", ref("Site"),
        status=201, body=Body("SiteInput", forms_documented=True), missing_documented=True,
    ),
    Operation("getSite", "get", "/site/{site_id}", "Sites", "A site", ref("Site")),
    Operation(
        "updateSite", "patch", "/site/{site_id}", "Sites", "Change a site", ref("Site"),
        description="A site cannot be archived by it.", body=Body("SiteUpdate"),
    ),
)  # fmt: skip

_CONNECTIONS: Final = (
    Operation(
        "listConnections", "get", "/connection/company/{company_id}", "Connections",
        "The connections of a company", ref("ConnectionPage"), parameters=CONNECTION_FILTERS,
    ),
    Operation(
        "createConnection", "post", "/connection/company/{company_id}", "Connections", "Create a connection",
        ref("Connection"),
        description="Answers with its id and its status, already checked. Logins with a second factor need an "
        "invitation.",
        status=201, status_assumed=True, body=Body("ConnectionInput", _JSON_ONLY),
        refuses=(_TAKEN_LOGIN, _FOREIGN_SITE),
    ),
    Operation(
        "getConnection", "get", "/connection/{connection_id}/details", "Connections", "A connection",
        ref("Connection"),
    ),
    Operation(
        "updateConnection", "patch", "/connection/{connection_id}", "Connections",
        "Change the credentials or sites of a connection", ref("Connection"),
        body=Body("ConnectionUpdate", _JSON_ONLY), refuses=(_TAKEN_LOGIN, _FOREIGN_SITE),
        assumed=_NOT_IN_REFERENCE,
    ),
    Operation(
        "deleteConnection", "delete", "/connection/{connection_id}", "Connections", "Remove a connection", None,
        status=204, assumed=_NOT_IN_REFERENCE,
    ),
)  # fmt: skip

_INVITATIONS: Final = (
    Operation(
        "listInvitations", "get", "/invitation/company/{company_id}", "Invitations",
        "The invitations of a company", ref("InvitationPage"), parameters=(PAGE,),
    ),
    Operation(
        "invite", "post", "/invitation/company/{company_id}", "Invitations", "Invite somebody to add a connection",
        ref("Invitation"), status=201, status_assumed=True,
        body=Body("InvitationInput", _JSON_ONLY, required=False), refuses=(_FOREIGN_SITE,),
    ),
    Operation(
        "inviteToReconnect", "post", "/invitation/connection/{connection_id}", "Invitations",
        "Invite somebody to repair a connection", ref("Invitation"), status=201, status_assumed=True,
        body=Body("ReconnectInput", _JSON_ONLY, required=False),
    ),
    Operation(
        "getInvitation", "get", "/invitation/{invitation_id}", "Invitations",
        "An invitation and what happened to it", ref("InvitationDetails"),
    ),
    Operation(
        "revokeInvitation", "post", "/invitation/{invitation_id}/revoke", "Invitations", "Revoke an invitation",
        ref("Invitation"),
    ),
)  # fmt: skip

_INSTEAD: Final = "Deprecated: use invitations."

_MAGIC_LINKS: Final = (
    Operation(
        "getCompanyLink", "get", "/connection/company/{company_id}/link", "Magic links",
        "A link to add a connection", ref("MagicLink"), description=_INSTEAD, deprecated=True,
    ),
    Operation(
        "createCompanyLink", "post", "/connection/company/{company_id}/link", "Magic links",
        "A link to add a connection, with sites and what is filled in", ref("MagicLink"),
        description=_INSTEAD, deprecated=True, status=201, status_assumed=True,
        body=Body("MagicLinkInput", _JSON_ONLY, required=False), refuses=(_FOREIGN_SITE,),
    ),
    Operation(
        "getConnectionLink", "get", "/connection/{connection_id}", "Magic links", "A link to edit a connection",
        ref("MagicLink"), description=_INSTEAD, deprecated=True,
    ),
    Operation(
        "createConnectionLink", "post", "/connection/{connection_id}", "Magic links",
        "A link to edit a connection", ref("MagicLink"), description=_INSTEAD, deprecated=True,
    ),
)  # fmt: skip

_ACCOUNTS: Final = (
    Operation(
        "listAccounts", "get", "/account/company/{company_id}", "Accounts", "The accounts of a company",
        ref("AccountPage"), description="Connections carry their accounts too.", parameters=(PAGE,),
        assumed=_NOT_IN_REFERENCE,
    ),
    Operation(
        "getAccount", "get", "/account/{account_id}", "Accounts", "An account", ref("Account"),
        assumed=_NOT_IN_REFERENCE,
    ),
    Operation(
        "trackAccount", "patch", "/account/{account_id}", "Accounts", "Track an account or stop it",
        ref("Account"), body=Body("AccountTracking"),
    ),
    Operation(
        "trackAccounts", "patch", "/account/company/{company_id}", "Accounts",
        "Track several accounts or stop them", {"type": "array", "items": ref("Account")},
        description="All of them or none.", body=Body("AccountsTracking", _JSON_ONLY),
        refuses=("an account that is not the company's",),
        assumed="A bulk form is documented; its method, path and body are not.",
    ),
)  # fmt: skip

_METERS: Final = (
    Operation(
        "listMetersOfCompany", "get", "/meter/company/{company_id}", "Meters", "The meters of a company",
        ref("MeterPage"), parameters=(PAGE,), assumed=_NOT_IN_REFERENCE,
    ),
    Operation(
        "listMetersOfSite", "get", "/meter/site/{site_id}", "Meters", "The meters of a site", ref("MeterPage"),
        parameters=(PAGE,), assumed=_NOT_IN_REFERENCE,
    ),
    Operation("getMeter", "get", "/meter/{meter_id}", "Meters", "A meter", ref("Meter")),
)  # fmt: skip

_BILLS: Final = (
    *(
        Operation(
            f"listBillsOf{whose.title()}", "get", f"/document/{whose}/{{{whose}_id}}", "Bills",
            f"The bills of a {whose}", ref("DocumentPage"), parameters=BILL_FILTERS,
        )
        for whose in ("company", "site", "connection")
    ),
    Operation(
        "getBill", "get", "/document/{document_id}", "Bills", "A bill", ref("Document"),
        assumed="That a bill can be read by its id is documented, the path is not.",
    ),
)  # fmt: skip

_USAGE: Final = (
    *(
        Operation(
            f"listUsageOf{name}", "get", f"/usage/{whose}/{{{whose}_id}}", "Usage",
            f"The usage records of a {said}", ref("UsagePage"), parameters=USAGE_FILTERS,
        )
        for whose, name, said in (
            ("company", "Company", "company"), ("site", "Site", "site"),
            ("connection", "Connection", "connection"), ("document", "Bill", "bill"),
        )
    ),
    Operation("getUsage", "get", "/usage/{usage_data_id}", "Usage", "A usage record", ref("UsageData")),
    Operation(
        "updateUsage", "patch", "/usage/{usage_data_id}", "Usage", "Correct a usage record", ref("UsageData"),
        description="Fires `document.updated.v2`.", body=Body("UsageUpdate"),
        refuses=("an end before the start",), assumed="The update is documented; its method and path are not.",
    ),
)  # fmt: skip

_REST: Final = (
    Operation(
        "listIntervals", "get", "/interval/connection/{connection_id}", "Intervals",
        "The interval data of a connection", ref("IntervalPage"), parameters=INTERVAL_FILTERS,
    ),
    Operation(
        "uploadBill", "post", "/job/company/{company_id}", "Uploads", "Upload a bill", ref("Job"),
        status=201, status_assumed=True, body=Body("BillUpload", (MULTIPART,)),
        refuses=("a file that is no PDF, PNG or JPG, or too large", _FOREIGN_SITE, _INACTIVE),
    ),
    Operation(
        "uploadBills", "post", "/job/company/{company_id}/bulk", "Uploads", "Upload bills by their addresses",
        ref("Job"), status=201, status_assumed=True, body=Body("BillAddresses", _JSON_ONLY),
        refuses=(_FOREIGN_SITE, _INACTIVE),
    ),
    Operation("getJob", "get", "/job/{job_id}", "Uploads", "How far an upload is", ref("Job")),
    Operation(
        "listJobs", "get", "/job/company/{company_id}", "Uploads", "The uploads of a company", ref("JobPage"),
        parameters=(PAGE,), assumed="The list is documented, its path is not.",
    ),
    Operation(
        "getWebhookPortal", "post", "/webhook", "Webhooks", "The portal where endpoints are registered",
        ref("WebhookPortal"), assumed="The portal is documented; the method and the path are not.",
    ),
)  # fmt: skip

#: Every endpoint of the reference.
OPERATIONS: Final[tuple[Operation, ...]] = (
    *_ACCESS,
    *_COMPANIES,
    *_SITES,
    *_CONNECTIONS,
    *_INVITATIONS,
    *_MAGIC_LINKS,
    *_ACCOUNTS,
    *_METERS,
    *_BILLS,
    *_USAGE,
    *_REST,
)
