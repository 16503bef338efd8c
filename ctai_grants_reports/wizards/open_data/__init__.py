from . import grant_award_upload, grant_publication_report, grant_publication_wizard
