"""Task types that talk to language models and answer from documents. Plain HTTP; no provider's SDK is needed.

documents ─→ reading ─→ splitting ─→ models (embed) ─→ vectors (KV store or a stored file)
                                                            │ nearest to the question
question ───────────────────────────────────────────────────┴─→ models (chat) ─→ answer
"""
