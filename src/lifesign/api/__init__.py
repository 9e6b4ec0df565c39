"""One HTTP API, on a UNIX socket and on TCP: the wire documents, the server, the client."""
