"""The rollout controller: gather facts, decide, act, record. Decisions are pure; the controller runs them."""
