"""What the API answers about letting others in: invitations, magic links, uploads, the webhook portal."""

from __future__ import annotations

from typing import Final

from nectar_notebooks.sandbox.contract.objects import CONNECTION_STATUSES
from nectar_notebooks.sandbox.contract.schemas import (
    Json,
    assumed,
    date,
    email,
    integer,
    items,
    maybe,
    optional,
    read_as,
    record,
    ref,
    text,
    timestamp,
    values,
)
from nectar_notebooks.schema.values import COMMODITIES, INVITATION_STATUSES, INVITATION_TYPES, JOB_STATUSES

__all__ = ["SHARING"]

_PREFILL: Final = record(
    "What the invited person finds filled in; empty on an invitation to reconnect.",
    url=maybe(text("Login address of the provider.")),
    datasourceId=maybe(text("The provider by its id, instead of its address.")),
    initialSites=optional(items("Ids of the sites it is for.", text("A site's id."))),
    utilityTypes=optional(items("Commodities it is for.", values("A commodity.", COMMODITIES))),
    country=maybe(text("ISO 3166-1 alpha-2.")),
    connectionOwnerEmail=maybe(text("Who will own the login.")),
    dataCollectionStartDate=maybe(date("First day bills are collected for.")),
)

_CREATED_CONNECTION: Final = record(
    "A connection that an invited person made.",
    id=text("Id of the connection."),
    datasourceName=text("Name of the provider."),
    status=values("Its status.", CONNECTION_STATUSES),
    created=timestamp("When it was made."),
)

_INVITATION: Final = record(
    "A link by which somebody outside the organization adds or repairs a login.",
    id=text("Id of the invitation."),
    token=text("The secret part of its address."),
    invitationType=values("To add a connection or to repair one.", INVITATION_TYPES),
    status=values("Whether it can still be used.", INVITATION_STATUSES),
    invitationUrl=text("The public page to send the person to."),
    companyId=text("The company it is for."),
    connectionId=maybe(text("The connection to repair.")),
    allowedEmails=items("Who may use it; anybody where it is empty.", email("An address.")),
    expiresAt=maybe(timestamp("When it ends; never where it is null.")),
    maxUses=maybe(integer("How often it may be used; without limit where it is null.")),
    useCount=integer("How often it was used."),
    createdAt=timestamp("When it was made."),
    prefill=ref("Prefill"),
    createdConnections=optional(items("What came of it; not on an invitation to reconnect.", ref("CreatedConnection"))),
)

_EVENT: Final = record(
    "Something that happened to an invitation: viewed, e-mail verified, used, revoked.",
    type=assumed(
        values("What happened.", (), ("VIEWED", "EMAIL_VERIFIED", "USED", "REVOKED")),
        "The audit log is described in prose.",
    ),
    email=assumed(maybe(text("Who did it, where known.")), "The audit log is described in prose."),
    created=assumed(timestamp("When it happened."), "The audit log is described in prose."),
)

_MAGIC_LINK: Final = record(
    "The older way to let somebody in: a page to open in a tab or an iframe.",
    publicCompanyId=text("The company's id in links."),
    companyMagicLinkSecret=optional(text("The secret of a link that adds a connection.")),
    connectionMagicLinkSecret=read_as(
        optional(text("The secret of a link that edits a connection.")),
        "The answer of the link to edit is not shown; its address carries this secret.",
    ),
    magicLinkUrl=text("The page to open."),
)

_JOB: Final = record(
    "The reading of one or more uploaded files.",
    id=text("Id of the job."),
    status=values("How far it is; prose also names TERMINATED.", JOB_STATUSES),
    parsedDocumentIds=items("Ids of the bills that it made.", text("A bill's id.")),
    duplicates=read_as(integer("How many of the files were there already."), "The field is named, its type is not."),
    duplicateDocumentIds=items("Ids of the bills that were there already.", text("A bill's id.")),
    nonUtilityDocumentIds=items("Ids of files that are no utility bills.", text("A file's id.")),
    terminationReason=maybe(text("Why it ended without a result.")),
)

_WEBHOOK_PORTAL: Final = record(
    "Where endpoints for webhooks are registered.",
    url=read_as(text("The portal's address; valid for seven days."), "The answer is told in prose, without names."),
)


#: Component schemas by name.
SHARING: Final[dict[str, Json]] = {
    "CreatedConnection": _CREATED_CONNECTION,
    "Invitation": _INVITATION,
    "InvitationDetails": _INVITATION
    | {
        "description": "An invitation with what happened to it.",
        "properties": _INVITATION["properties"]
        | {
            "events": assumed(
                items("What happened to it, in order.", ref("InvitationEvent")),
                "That details carry an audit log is documented, its name and shape are not.",
            ).schema
        },
    },
    "InvitationEvent": _EVENT,
    "Job": _JOB,
    "MagicLink": _MAGIC_LINK,
    "Prefill": _PREFILL,
    "WebhookPortal": _WEBHOOK_PORTAL,
}
