"""Where the documentation of the service is silent or contradicts itself, each answer is a setting.

The default is what public evidence makes likeliest; a client should live with every choice.
"""

from __future__ import annotations

from talk_pipeline.sandbox.settings import Setting

QUESTIONS: tuple[Setting, ...] = (
    Setting(
        "missing_record_code",
        "BadRequest_ResourceNotFound",
        "error code of the 404 for a record id that is not there",
        ("BadRequest_ResourceNotFound", "Internal_RecordNotFound"),
    ),
    Setting("duplicate_key_status", 400, "status of a duplicate key", (400, 409)),
    Setting(
        "read_only_write",
        "refuse_differing",
        "a body holds a read-only property: refused if it differs, refused always, or ignored",
        ("refuse_differing", "refuse", "ignore"),
    ),
    Setting(
        "blank_enum_input",
        "any",
        "spellings of the blank enum member taken in bodies: all three, or only the escaped one",
        ("any", "escaped"),
    ),
    Setting("blank_enum_filter", "works", "a filter on the blank enum member", ("works", "refused", "empty")),
    Setting(
        "validation_order",
        "fixed",
        "order in which the properties of one body take effect: a fixed one (object, unit, quantity, price,"
        " discount), or that of the body",
        ("fixed", "body"),
    ),
    Setting(
        "next_link",
        "skiptoken",
        "how the link to the next page goes on: an opaque token, or a count of records to skip",
        ("skiptoken", "skip"),
    ),
    Setting(
        "next_link_keeps_page_size",
        False,
        "whether the server remembers the preferred page size for the pages that follow",
    ),
    Setting("count", "supported", "$count and /$count", ("supported", "ignored", "refused")),
    Setting(
        "throttle_retry_after",
        None,
        "Retry-After on 429: none, a number of seconds, 'seconds' or 'date' for the real wait",
    ),
    Setting(
        "deep_insert_answer",
        "on_expand",
        "whether the answer to a deep insert holds the lines: only if expanded, always, never",
        ("on_expand", "always", "never"),
    ),
    Setting(
        "client_id_on_create", "ignored", "a body sends an id of its own", ("ignored", "kept", "refused")
    ),
    Setting(
        "batch_dependencies",
        "ignored",
        "dependsOn and atomicityGroup in a batch",
        ("ignored", "refused"),
    ),
    Setting(
        "oversized_page",
        "pages",
        "a page larger than the server's maximum is asked for: served in pages, or 413",
        ("pages", "refused"),
    ),
    Setting("webhook_attempts", 6.0, "attempts to deliver a notice before the subscription is dropped"),
    Setting(
        "webhook_delay",
        30.0,
        "seconds between the first change and its notice",
    ),
    Setting(
        "webhook_pace",
        1.0,
        "factor on the waits between attempts, so that tests need not take hours",
    ),
    Setting(
        "webhook_https",
        False,
        "whether a notification address must be https; off, since the sandbox lives on the loopback address",
    ),
    Setting("webhook_handshake", "POST", "method of the handshake call", ("POST", "GET")),
    Setting(
        "forbidden",
        "none",
        "a permission the application lacks: none, reading or writing sales orders; answered with the"
        " status in `forbidden_status`",
        ("none", "read_orders", "write_orders"),
    ),
    Setting("forbidden_status", 403, "status of a missing permission", (403, 400)),
    Setting(
        "unsupported_media_body",
        "envelope",
        "body of the 415 for a wrong content type",
        ("envelope", "empty"),
    ),
    Setting("null_on_write", "blank", "JSON null in a body", ("blank", "refused")),
    Setting(
        "datetime_comparison",
        "milliseconds",
        "what a filter on a time compares: the milliseconds shown, or the finer time that is stored",
        ("milliseconds", "stored"),
    ),
    Setting(
        "lines_in_header_patch",
        "refused",
        "a change of an order's header holds lines",
        ("refused", "ignored"),
    ),
    Setting(
        "batch_rate",
        "each",
        "what a batch counts as against the window of requests: each part, or the batch as one",
        ("each", "one"),
    ),
    Setting(
        "missing_reference_code",
        "Application_DialogException",
        "error code for an id in a body that refers to nothing",
        ("Application_DialogException", "Internal_RecordNotFound"),
    ),
    Setting(
        "discount_in_deep_insert",
        "applied",
        "discountAmount in the body that creates an order with its lines",
        ("applied", "ignored", "refused"),
    ),
    Setting(
        "unchanged_write",
        "leaves",
        "whether a change that changes nothing leaves entity tag and modified time alone, or moves them",
        ("leaves", "moves"),
    ),
    Setting(
        "discount_redistribution",
        "at_once",
        "an order's discount is spread anew with the change of a line, or when the order is next read by"
        " itself, which then moves its entity tag",
        ("at_once", "on_read"),
    ),
    Setting(
        "tax_switch",
        "keeps_prices",
        "pricesIncludeTax of an order with lines changes: unit prices stay, or are recalculated",
        ("keeps_prices", "recalculates"),
    ),
    Setting("decimal_zeros", "trimmed", "trailing zeros of amounts", ("trimmed", "two_places")),
    Setting(
        "customer_numbers", "manual", "customers: numbers of one's own, or series only", ("manual", "series")
    ),
    Setting(
        "customer_contacts",
        "made",
        "whether a new customer is made a contact as well, as where the marketing setup names a business relation",
        ("made", "none"),
    ),
    Setting("item_numbers", "manual", "items: numbers of one's own, or series only", ("manual", "series")),
    Setting(
        "templates",
        True,
        "whether new customers and items get posting groups and the like from a template; without, they"
        " cannot be used on an order",
    ),
    Setting("website_length", 80, "characters of a customer's website; newer versions take 255", (80, 255)),
    Setting(
        "posted_order",
        "removed",
        "what becomes of an order once all of it is invoiced; shipAndInvoice may leave it",
        ("removed", "kept"),
    ),
    Setting(
        "deleted_order",
        "gone",
        "what becomes of an order that is deleted; the sales setup may have it archived",
        ("gone", "archived"),
    ),
    Setting("posting_date", "work_date", "posting date of a new order", ("work_date", "blank")),
    Setting(
        "external_document_mandatory",
        False,
        "whether an order cannot be posted without externalDocumentNumber",
    ),
    Setting(
        "snapshot_leaks",
        False,
        "whether a duplicate key or unreadable value in a snapshot batch leaves earlier parts committed",
    ),
    Setting("replica_lag", 0.0, "seconds by which a read with Data-Access-Intent: ReadOnly is behind"),
    Setting("token_lifetime", 3599.0, "seconds an access token is valid"),
    Setting(
        "filter_characters",
        "literal",
        "characters of the service's own filter language in literals",
        ("literal", "wildcards"),
    ),
)
