"""aiosmtplib, a mail client for asyncio."""
