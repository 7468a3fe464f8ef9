"""Task types that move files between the internal storage and file systems: local, SFTP, FTP, SMB, S3, GCS, others.

`actions` and `finding` say what is done, once for all of them; the other modules say how each file system is reached.
"""
