"""Segment's own client for Python, as a program: `segment_python.py HOST WRITE_KEY`."""

import sys

from segment.analytics import Client

client = Client(sys.argv[2], host=sys.argv[1], max_retries=1)
client.log.setLevel("ERROR")
client.identify("seg-1", {"email": "Ann.Lee@Example.com", "firstName": "Ann", "phone": "030 1234567", "plan": "pro"})
client.track("seg-1", "Signed Up", {"plan": "pro"}, anonymous_id="anon-1")
client.alias("anon-1", "seg-1")
client.group("seg-1", "acme", {"name": "Acme"})
client.page("seg-1", "Shop", "Prices", {"url": "https://www.example.com/prices"})
client.flush()
client.shutdown()
