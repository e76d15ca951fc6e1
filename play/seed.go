package play

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Generator returns the generator of one stream of a run: equal arguments give
// equal sequences, and streams that differ in any argument are independent.
// ChaCha8 is keyed with SHA-256(seed, path, stream), so no generator's state
// ever has to be saved: a checkpoint that knows where it stands knows its
// randomness.
func Generator(seed uint64, stream string, path ...uint64) *rand.Rand {
	buf := make([]byte, 0, 64)
	buf = binary.LittleEndian.AppendUint64(buf, seed)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(len(path)))
	for _, n := range path {
		buf = binary.LittleEndian.AppendUint64(buf, n)
	}
	return rand.New(rand.NewChaCha8(sha256.Sum256(append(buf, stream...))))
}
