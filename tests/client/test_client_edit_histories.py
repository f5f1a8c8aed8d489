"""Tables after any history of edits and refreshes equal a full fetch, under both readings of isDeleted."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pandas as pd
from client.hand_written_api import HandWrittenApi, account, document, usage

STEPS = 3


class Editor:
    """Edits the hand-written API at random, as providers, users and Nectar's staff do."""

    def __init__(self, api: HandWrittenApi, seed: int, now: Callable[[], datetime]) -> None:
        self.api, self.random, self.now, self.made = api, random.Random(seed), now, 0
        for name in ("documents", "usage"):
            del api.state[name]["c1"][30:]

    def rows(self, name: str) -> list[dict[str, Any]]:
        return self.api.state[name]["c1"]

    def moment(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def any_bill(self) -> dict[str, Any]:
        return self.random.choice(self.rows("documents"))

    def usage_of(self, bill: dict[str, Any]) -> list[dict[str, Any]]:
        return [row for row in self.rows("usage") if row["document"]["id"] == bill["id"]]

    def bill_arrives(self) -> None:
        self.made += 1
        name = f"{self.made:03}"
        meter, site, account_id = self.random.choice([("m1", "s1", "a1"), ("m2", "s2", "a2")])
        site = self.api.state["meters"][meter]["site"]
        stamp = {"created": self.moment(), "updated": self.moment()}
        self.rows("documents").append({**document(f"n{name}", "2026-01-09", account_id, "5.00", [f"w{name}"]), **stamp})
        self.rows("usage").append(
            {**usage(f"w{name}", f"n{name}", meter, site, "2026-01-01", "2026-01-08", "9"), **stamp}
        )

    def bill_is_revised(self) -> None:
        old = self.any_bill()
        self.bill_arrives()
        old.update(revisedDocumentId=self.rows("documents")[-1]["id"], updated=self.moment())

    def bill_changes(self) -> None:
        bill = self.any_bill()
        bill.update(totalCharges=f"{self.random.randrange(999)}.50", updated=self.moment())
        bill["lineItems"] = bill["lineItems"] * self.random.randrange(1, 3)

    def usage_changes(self) -> None:
        row = self.random.choice(self.rows("usage"))
        row.update(usage=str(self.random.randrange(999)), updated=self.moment())

    def bill_is_deleted(self, *, moves: bool = True) -> None:
        bill = self.any_bill()
        for row in self.usage_of(bill):
            self.rows("usage").remove(row)
        self.rows("documents").remove(bill)
        self.rows("deleted").append({**bill, "updated": self.moment()} if moves else bill)

    def bill_is_deleted_silently(self) -> None:
        self.bill_is_deleted(moves=False)

    def bill_is_read_again(self) -> None:
        bill = self.any_bill()
        self.made += 1
        for row in self.usage_of(bill):
            row.update(id=f"r{self.made:03}", updated=self.moment())
            bill["usageData"] = [{"id": row["id"]}]
            bill["demandMeters"][0]["usageDataIds"] = [row["id"]]
            bill["updated"] = self.moment()

    def meter_moves(self, *, moves: bool = True) -> None:
        meter = self.random.choice(list(self.api.state["meters"].values()))
        meter["site"] = "s1" if meter["site"] == "s2" else "s2"
        for row in self.rows("usage"):
            if row["meter"] == meter["id"]:
                row["site"] = {"id": meter["site"], "name": "x"}
                row["updated"] = self.moment() if moves else row["updated"]

    def meter_moves_silently(self) -> None:
        if self.api.lists_meters:
            self.meter_moves(moves=False)

    def login_breaks(self) -> None:
        self.rows("connections")[0].update(status="PASSWORD_INCORRECT", updated=self.moment())

    def account_is_untracked(self) -> None:
        self.rows("connections")[0]["accounts"][1] = account("a2", ["m2"], trackingStatus="DISABLED")

    def edit(self) -> str:
        edits = [
            self.bill_arrives,
            self.bill_is_revised,
            self.bill_changes,
            self.usage_changes,
            self.bill_is_deleted,
            self.bill_is_deleted_silently,
            self.bill_is_read_again,
            self.meter_moves,
            self.meter_moves_silently,
            self.login_breaks,
            self.account_is_untracked,
        ]
        chosen = self.random.choice(edits)
        chosen()
        return chosen.__name__


def test_refreshed_tables_equal_a_full_fetch(join, clock, tmp_path, times) -> None:
    edits = 0
    for seed in range(times(3, 60)):
        api = HandWrittenApi()
        api.only_deleted, api.lists_meters = bool(seed % 2), bool(seed // 2 % 2)
        editor = Editor(api, seed, clock.now)
        nectar = join(base_url=api.url)
        nectar.portfolio()
        history = []
        for step in range(STEPS):
            clock.advance(seconds=editor.random.randrange(60, 3 * 86400))
            history += [editor.edit() for _ in range(editor.random.randrange(3))]
            nectar.refresh()
            fresh = join(base_url=api.url, cache_dir=tmp_path / f"fresh-{step}").portfolio()
            for name, frame in nectar.portfolio():
                pd.testing.assert_frame_equal(frame, getattr(fresh, name), obj=f"{name}, {seed}: {history}")
        edits += len(history)
        api.close()
    print(f"soak: cache: {edits:,} edits in random histories, refreshed tables equal a full fetch after each step")
