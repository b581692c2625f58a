"""The front door: takes events over HTTP, proves them, reads them, and answers once the broker has them."""
