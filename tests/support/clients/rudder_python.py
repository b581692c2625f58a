"""RudderStack's own client for Python, as a program: `rudder_python.py HOST WRITE_KEY`."""

import sys

from rudderstack.analytics import Client

client = Client(sys.argv[2], host=sys.argv[1], max_retries=1)
client.identify("rud-1", {"email": "Bob@Example.com", "firstName": "Bob", "phone": "030 7654321", "plan": "pro"})
client.track("rud-1", "Signed Up", {"plan": "pro"}, anonymous_id="anon-1")
client.alias("anon-1", "rud-1")
client.group("rud-1", "acme", {"name": "Acme"})
client.page("rud-1", "Shop", "Prices", {"url": "https://www.example.com/prices"})
client.flush()
client.shutdown()
