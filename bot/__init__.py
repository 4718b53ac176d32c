"""The process: settings, configuration, logging, and the composition root.

Here everything is read, put together, started and stopped. No rule of deployments lives here: those are in
`operations`. Only this package reads the environment and names concrete adapters; nothing imports it but
the command line and the tests.
"""
