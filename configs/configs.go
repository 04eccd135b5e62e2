// Package configs embeds the example configuration, the demo's organisation and the spoken prompts.
package configs

import "embed"

// Example is the annotated configuration with every key and its default.
//
//go:embed strowger.yaml
var Example []byte

// Demo is the organisation of `strowger demo`.
//
//go:embed demo.yaml
var Demo []byte

// Prompts are the spoken prompts, prompts/LANG/NAME.opus (voices) or NAME.wav (music), 16 kHz mono.
//
//go:embed prompts/*/*.wav prompts/*/*.opus
var Prompts embed.FS
