"""How likely each event is as a life goes on; what an event does is in `life`."""

EDITS_OF_CHARGES = (
    "shop_shipping",
    "shop_fees",
    "shop_gift_cards",
    "office_charge",
    "office_charge_more",
    "office_charge_less",
)


def weights(share: float, *, charging: bool) -> dict[str, float]:
    """What is likely to happen when that share of a life, from 0 to 1, is over."""
    early, late = max(0.05, 1 - 2 * share), max(0.05, 2 * share - 0.7)
    middle = max(0.05, 1 - abs(2.2 * share - 1.1))
    edits = (
        "shop_quantity",
        "shop_price",
        "shop_text",
        "shop_line",
        "shop_line_less",
        "shop_address",
        "shop_discount",
        "office_quantity",
        "office_price",
        "office_text",
        "office_line",
        "office_line_less",
    )
    return {
        **dict.fromkeys(edits, early),
        **dict.fromkeys(EDITS_OF_CHARGES if charging else (), early),
        "in_review": 0.5 * early + 0.4 * middle,
        "reopened": 0.5 * early + 0.5 * middle,
        "released": middle,
        "shipped_in_part": 2 * middle,
        "shipped": middle,
        "invoiced": 2 * middle + late,
        "shop_cancels": 0.15,
        "deleted_there": 5.0,
        "paid_in_part": 2 * late,
        "paid": late,
        "invoice_cancelled": 0.3 * late,
        "refunds": 2 * late,
        "refund_edited": late,
        "credited": 2 * late,
        "paid_out": 2 * late,
    }
