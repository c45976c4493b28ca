"""The two systems that a flow joins."""

from enum import StrEnum


class Side(StrEnum):
    """One of them."""

    SHOP = "customwebshop"
    BC = "businesscentral"

    @property
    def other(self) -> "Side":
        """The side across."""
        return Side.BC if self is Side.SHOP else Side.SHOP

    @property
    def system(self) -> str:
        """What people call it."""
        return "Customwebshop" if self is Side.SHOP else "Business Central"

    @property
    def short(self) -> str:
        """`shop` or `bc`: how flow files name it, and columns that there are two of (`shop_id`, `bc_id`)."""
        return "shop" if self is Side.SHOP else "bc"
