TIMEOUT = 10.0


def user_agent(version):
    return f"parcels/{version}"
