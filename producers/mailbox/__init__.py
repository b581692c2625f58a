"""The role `mailbox`: mail comes in, by SMTP or LMTP from a mail server, or out of a mailbox by IMAP."""
