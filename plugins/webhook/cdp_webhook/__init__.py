"""A generic audience over HTTP: addresses, bodies and answers by configuration alone."""
