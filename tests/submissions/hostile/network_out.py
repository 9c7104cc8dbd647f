# base: garbage
# Connections to the outside, to local services and to names, in every way.
# class: network
# gains: the hidden tests, sent to whoever wants them; answers from elsewhere
# ends: graded
# safe_in_process: no

# %% last
import os
import socket

if os.getuid() == 65534:
    for address in (("192.0.2.1", 80), ("127.0.0.1", 8888), ("127.0.0.1", 22), ("::1", 80)):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        try:
            with socket.socket(family) as probe:
                probe.settimeout(1)
                probe.connect(address)
                print("LOOT connected to", address)
        except OSError:
            pass
    try:
        print("LOOT resolved", socket.getaddrinfo("example.org", 80))
    except OSError:
        pass
    try:
        with open("/proc/net/dev") as file:
            names = [line.split(":")[0].strip() for line in file if ":" in line]
        if set(names) - {"lo"}:
            print("LOOT interfaces", names)
    except OSError:
        pass
