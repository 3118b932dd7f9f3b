"""What the double does not do it answers with 501."""

from rest_framework.exceptions import APIException


class NotInTheDoubleError(APIException):
    """501, with the name of what is missing."""

    status_code = 501

    def __init__(self, what):
        super().__init__(f"the CVAT double does not do this: {what}")
