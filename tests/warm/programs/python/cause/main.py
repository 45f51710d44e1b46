try:
    try:
        {}["key"]
    except KeyError as error:
        raise ValueError("bad") from error
except ValueError:
    raise RuntimeError("worse")
