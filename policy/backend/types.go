package backend

import "github.com/gomlx/compute"

// Backend is an open backend. The alias lets packages that must not depend on
// GoMLX pass one on.
type Backend = compute.Backend
