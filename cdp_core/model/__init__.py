"""The things that the framework speaks of, as frozen values without behaviour of their own."""
