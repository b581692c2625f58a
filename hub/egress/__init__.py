"""The one way out: HTTP to addresses that somebody configured, and to no address that they should not reach.

What is checked is the address that is connected to, after the name was resolved: no other spelling and no second
answer of the name server comes between the check and the connection. There are no redirects, no cookies and no proxies,
since nothing here knows how to follow them.
"""

from hub.egress.addresses import Forbidden, literal, objection, url_problem
from hub.egress.client import Answer, Egress

__all__ = ["Answer", "Egress", "Forbidden", "literal", "objection", "url_problem"]
