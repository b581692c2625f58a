"""What every test may use."""

pytest_plugins = ["tests.support.plugin", "tests.support.databases", "tests.support.lanes"]
