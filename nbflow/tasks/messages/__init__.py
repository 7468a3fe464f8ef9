"""Task types that tell people and other systems something: chats, alerts, e-mail. The catalog names them."""
