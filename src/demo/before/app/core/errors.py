class NotFound(Exception):
    def __init__(self, kind, key):
        super().__init__(f"{kind} {key} does not exist")
        self.kind = kind
        self.key = key
