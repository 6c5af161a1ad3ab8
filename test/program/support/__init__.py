"""Helpers of the whole-program tests: servers, certificates, namespaces and processes, each ended with the test."""
