"""The rules of Squawk 2.70, each with what it weighs here, why, and what to do instead.

Squawk's own texts speak of any client and any migration tool; ours of the version that runs meanwhile. Most
of what breaks that version is off in Squawk unless it is asked for: all of it is.
"""

from __future__ import annotations

from bluegreen.migrations.lint.rule import LATER, Ground, Rule, Weight

ADDS_COLUMN = "ban-add-column"
"""Passed over, but it tells which columns are new."""

RESTRICTS = "ban-new-write-restriction"
"""Weighs less where it is about what is new."""


def _drops(name: str, what: str, contract: Weight = Weight.PASSED) -> Rule:
    """What a contract is for."""
    reason = f"The running version may still use {what}."
    return Rule(name, Ground.BREAKS, reason, LATER, contract=contract)


def _breaks(name: str, reason: str, safe_way: str = LATER, contract: Weight = Weight.TOLD) -> Rule:
    return Rule(name, Ground.BREAKS, reason, safe_way, contract=contract)


def _always_breaks(name: str, reason: str, safe_way: str) -> Rule:
    """The version that is left after a contract uses what is changed, too."""
    return Rule(name, Ground.BREAKS, reason, safe_way)


def _mind(name: str, reason: str, safe_way: str = "", contract: Weight = Weight.PASSED) -> Rule:
    """Rightly done it breaks nothing, and there is no other way to do it."""
    return Rule(name, Ground.BREAKS, reason, safe_way, Weight.TOLD, contract)


def _locks(name: str, reason: str, safe_way: str) -> Rule:
    return Rule(name, Ground.LOCKS, reason, safe_way)


def _advice(name: str, reason: str, safe_way: str) -> Rule:
    return Rule(name, Ground.ADVICE, reason, safe_way, Weight.TOLD, Weight.TOLD)


def _passed(name: str, reason: str) -> Rule:
    return Rule(name, Ground.ADVICE, reason, "", Weight.PASSED, Weight.PASSED)


_REPLACE = (
    "Expand: add the new one beside it, and let the new version write both. Backfill it. "
    "Contract: drop the old one."
)
_BY_HAND = "Have it done by whoever runs the server, apart from a release."

SQUAWK_RULES: tuple[Rule, ...] = (
    # What is taken away.
    _drops("ban-drop-column", "the column"),
    _drops("ban-drop-table", "the table"),
    _drops("ban-drop-view", "the view"),
    _drops("ban-drop-function", "the function"),
    _drops("ban-drop-type", "the type"),
    _drops("ban-drop-domain", "the domain"),
    _drops("ban-drop-schema", "what is in the schema"),
    _drops("ban-drop-sequence", "the sequence"),
    _drops("ban-drop-extension", "what the extension brings"),
    _drops("ban-drop-index", "the index: its queries may become slow enough to fail"),
    _drops("ban-drop-trigger", "what the trigger does at its writes"),
    _drops("ban-drop-policy", "what the policy or rule lets it see and write", Weight.TOLD),
    _drops("ban-detach-inheritance", "the rows of this partition or child through its parent"),
    _always_breaks("ban-drop-database", "This is more than a service's change of its schema.", _BY_HAND),
    # What is called or typed otherwise: the version that is active breaks, whichever it is.
    _always_breaks("renaming-column", "The running version knows the column by its old name only.", _REPLACE),
    _always_breaks(
        "renaming-table",
        "The running version knows the table by its old name only.",
        "Keep the name; or let expand create a view with the new one.",
    ),
    _always_breaks("renaming-object", "The running version may know it by its old name.", _REPLACE),
    _always_breaks("ban-set-schema", "The running version looks for it where it was.", _REPLACE),
    _always_breaks(
        "changing-column-type",
        "The running version reads and writes the old type; and the table may be rewritten under a lock "
        "that nothing passes.",
        _REPLACE,
    ),
    # What the running version's writes come up against.
    _always_breaks(
        "adding-required-field",
        "The running version inserts rows without this column, and each of them would fail.",
        "Give it a constant default, or add it without NOT NULL: NOT NULL follows in a contract.",
    ),
    _breaks(
        RESTRICTS,
        "The running version may write what this forbids, and its writes would fail, NOT VALID or not.",
        "Do it in the contract of this change. In expand it may cover only columns that expand adds, "
        "without a default; and demand a value only where a BEFORE trigger of the same file gives it.",
        Weight.PASSED,
    ),
    _breaks(
        "ban-drop-default",
        "The running version may leave the column out when it inserts, and rely on the default.",
        contract=Weight.PASSED,
    ),
    _breaks("ban-alter-identity", "Inserts of the running version may give the column a value, or none."),
    _breaks("ban-drop-generated-expression", "The running version leaves the column to PostgreSQL."),
    _always_breaks(
        "ban-alter-generated-expression",
        "The running version reads other values from now on; and the table is rewritten under a lock that "
        "nothing passes.",
        _REPLACE,
    ),
    _breaks("ban-disable-trigger", "What the running version's writes set off is another."),
    _breaks(
        "ban-replica-identity",
        "Updates and deletes of replicated tables may fail, or not arrive.",
    ),
    _breaks("ban-alter-sequence-values", "The running version may be given a number that is taken."),
    _breaks(
        "ban-add-composite-attribute", "The running version may read values with as many parts as before."
    ),
    # What the running version may see and do.
    _breaks("ban-revoke", "The running version may lose a right that it needs."),
    _breaks("ban-alter-policy-condition", "The running version may no longer see or write its rows."),
    _breaks("ban-alter-policy-roles", "The running version may no longer see or write its rows."),
    _breaks("ban-alter-row-level-security", "The running version may no longer see or write its rows."),
    _mind(
        "ban-create-policy",
        "Once row level security is on, a policy decides what the running version sees and writes.",
        contract=Weight.TOLD,
    ),
    _breaks(
        "ban-replace-view-function",
        "The running version gets what replaces it at once.",
        "CREATE it, without OR REPLACE, under a name of its own; drop the old one in contract.",
    ),
    _breaks("ban-alter-function-options", "The running version calls it with the new options at once."),
    _breaks("ban-alter-view-options", "The running version reads it with the new options at once."),
    _breaks("ban-alter-role-options", "The running version may log in with this role.", _BY_HAND),
    _breaks("ban-alter-database-options", "The running version connects with the new options.", _BY_HAND),
    _always_breaks("ban-alter-system-options", "This changes the server under all that use it.", _BY_HAND),
    _breaks("ban-alter-extension", "The running version uses what the update changes.", _BY_HAND),
    # What has to be done with care, as there is no other way.
    _mind(
        "ban-drop-not-null",
        "The running version may read NULL, once the new one writes it.",
        "Let the new version write a value as long as the running one reads the column.",
    ),
    _mind(
        "ban-drop-constraint",
        "The running version may rely on it (also ON CONFLICT does, where it is unique).",
        "See to it that the new version writes nothing that the running one cannot read.",
    ),
    _mind("ban-set-default", "Inserts of the running version that leave the column out get this value."),
    _mind(
        "ban-add-enum-value",
        "The running version may read a value that it does not know, once the new one writes it.",
    ),
    # What blocks production, whoever runs. The lock timeout ends the waiting, not the work.
    _always_breaks(
        "ban-truncate-cascade",
        "It empties every table that refers to this one, too.",
        "Name each table in a TRUNCATE of its own, in contract.",
    ),
    _locks(
        "require-concurrent-index-creation",
        "Nobody can write to the table while the index is built.",
        "CREATE INDEX CONCURRENTLY, in a file of its own.",
    ),
    _locks(
        "require-concurrent-index-deletion",
        "It waits for all that use the table, and nobody passes it meanwhile.",
        "DROP INDEX CONCURRENTLY, in a file of its own.",
    ),
    _locks(
        "require-concurrent-reindex",
        "Nobody can write to the table, nor use the index, while it is built.",
        "REINDEX INDEX CONCURRENTLY, in a file of its own.",
    ),
    _locks(
        "require-concurrent-partition-detach",
        "Nobody can use the table meanwhile.",
        "DETACH PARTITION ... CONCURRENTLY, in a file of its own.",
    ),
    _locks(
        "constraint-missing-not-valid",
        "All rows are checked while nobody can write to the table.",
        "ADD CONSTRAINT ... NOT VALID, and VALIDATE CONSTRAINT in the file of a later number. EXCLUDE knows "
        "no NOT VALID: put it on a new table, and fill that one.",
    ),
    _locks(
        "adding-foreign-key-constraint",
        "All rows are checked while nobody can write to either table.",
        "ADD CONSTRAINT ... NOT VALID, and VALIDATE CONSTRAINT in the file of a later number.",
    ),
    _locks(
        "adding-not-nullable-field",
        "All rows are read while nobody can use the table.",
        "ADD CONSTRAINT x CHECK (... IS NOT NULL) NOT VALID in contract; in the contract of a later number "
        "VALIDATE CONSTRAINT x, SET NOT NULL, and DROP CONSTRAINT x.",
    ),
    _locks(
        "adding-field-with-default",
        "The value is another for each row, so the table is rewritten while nobody can use it.",
        "Add the column without a default, SET DEFAULT next (it applies to new rows), and backfill the old.",
    ),
    _locks(
        "adding-serial-primary-key-field",
        "An index is built while nobody can use the table.",
        "CREATE UNIQUE INDEX CONCURRENTLY, and then ADD PRIMARY KEY USING INDEX in a later number.",
    ),
    _locks(
        "disallowed-unique-constraint",
        "An index is built while nobody can use the table.",
        "CREATE UNIQUE INDEX CONCURRENTLY, and then ADD CONSTRAINT ... UNIQUE USING INDEX in a later number.",
    ),
    _locks(
        "ban-alter-domain-with-add-constraint",
        "All tables with a column of this domain are checked while nobody can write to them.",
        "Use a CHECK constraint of the table, NOT VALID at first.",
    ),
    # What fails by itself.
    Rule(
        "ban-duplicate-column-assignments",
        Ground.FORM,
        "The column is given two values: PostgreSQL refuses that.",
        "Leave one of them out.",
    ),
    # Advice.
    _advice(
        "ban-create-domain-with-constraint",
        "A column of it cannot be added to a table without writing that anew, nor the constraint be changed "
        "later without blocking every table that uses it.",
        "Use a CHECK constraint of the table.",
    ),
    _advice("ban-char-field", "char(n) pads its values with blanks.", "Use text."),
    _advice("prefer-text-field", "To change the length of varchar(n) later takes a lock.", "Use text."),
    _advice("prefer-bigint-over-int", "An integer ends at 2,147,483,647.", "Use bigint."),
    _advice("prefer-bigint-over-smallint", "A smallint ends at 32,767.", "Use bigint."),
    _advice(
        "prefer-identity",
        "A serial column's sequence has rights and an owner of its own.",
        "Use GENERATED ALWAYS AS IDENTITY, in a new table.",
    ),
    _advice("prefer-timestamp-tz", "A timestamp without time zone is no instant.", "Use timestamptz."),
    _advice(
        "identifier-too-long",
        "PostgreSQL cuts a name after 63 bytes, without a word.",
        "Choose a shorter one.",
    ),
    # What is otherwise taken care of.
    _passed(ADDS_COLUMN, "It is what expand is for."),
    _passed("ban-concurrent-index-creation-in-transaction", "See not-in-transaction."),
    _passed("transaction-nesting", "See transaction-control."),
    _passed("ban-uncommitted-transaction", "See transaction-control."),
    _passed("require-timeout-settings", "Every file runs under the timeouts of the service file."),
    _passed("require-lock-timeout", "Every file runs under the timeouts of the service file."),
    _passed("require-statement-timeout", "Every file runs under the timeouts of the service file."),
    _passed("prefer-robust-stmts", "A file is applied once, as a whole; the ledger says so."),
    _passed("prefer-repack", "See table-rewrite."),
    _passed("require-table-schema", "Whether names have their schema is the application's choice."),
    _passed("require-enum-value-ordering", "Where a value of an enum stands is the application's choice."),
)

_BY_NAME = {rule.name: rule for rule in SQUAWK_RULES}
_BREAKING_NAMES = ("ban-", "renaming-", "changing-")


def squawk_rule(name: str, message: str) -> Rule:
    """The rule of this name; of one that only a later Squawk knows, what its name and message say."""
    known = _BY_NAME.get(name)
    if known is not None:
        return known
    if name.startswith(_BREAKING_NAMES):
        return _breaks(name, message)
    return _advice(name, message, "")
