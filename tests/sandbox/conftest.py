"""The fixture that the sandbox's tests share."""

from support.scroll_client import scroll

__all__ = ["scroll"]
