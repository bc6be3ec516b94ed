package config

import "cordon/internal/strict"

//go:generate go run ./schemagen ../../docs/schema

// Schema is the JSON Schema of cordon.yaml.
func Schema() []byte {
	return strict.Schema("Cordon configuration", "cordon.yaml: the one configuration file.", Config{}, kinds)
}
