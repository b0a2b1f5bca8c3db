"""The batch on many machines: Ray Data carries shards to actors that tag them as the local engine would."""
