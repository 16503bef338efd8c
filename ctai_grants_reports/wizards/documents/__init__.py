from . import grant_scan_upload
