"""The paper exchange: ledger, matching, settlement, and a synthetic market to practise on."""
