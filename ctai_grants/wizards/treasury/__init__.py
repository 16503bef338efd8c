from . import (
    grant_pes_answer,
    grant_treasury_upload,
)
