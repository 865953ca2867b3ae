"""Who is asking: the one value that carries a visitor's rights through the service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Visitor:
    """One caller of the service.

    Attributes:
        owner: The key that owns this visitor's runs and uploads. `"machine"` on one's own machine, `"user:NAME"` for
            somebody signed in to the Hub in use, `"guest:SECRET"` for a browser without an account; empty for a
            caller who could not be known again, and who therefore owns nothing.
        token: The visitor's own Hub token, or `False`. Never `None`, which the Hub client reads as "use the
            machine's login".
        address: Where the request comes from on the Internet; empty where that is not known. It shares out the machine
            among strangers, and gives no rights.
    """

    owner: str
    token: str | Literal[False] = field(default=False, repr=False)
    address: str = field(default="", repr=False, compare=False)
