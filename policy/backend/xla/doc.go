// Package xla links the XLA backends into a program. Import it for its effect
// where the program opens backends:
//
//	import _ "github.com/agon-rl/agon/policy/backend/xla"
//
// XLA is reached through cgo: built with CGO_ENABLED=0 the package is empty,
// and the program has the pure Go backend alone. The import neither loads nor
// downloads a plugin.
package xla
