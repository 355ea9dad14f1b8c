"""What tests of several suites use: servers, clients, a proxy, tools."""
