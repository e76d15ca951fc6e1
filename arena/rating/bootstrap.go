package rating

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// BCa is the 95 % interval of an estimate by the bootstrap, bias-corrected and
// accelerated (Efron 1987): the quantiles of what resamples gave at
//
//	Φ(z0 + (z0+z)/(1 - a(z0+z))),  z = ±1.96,
//
// where Φ(z0) is the share of resamples below the estimate, and the acceleration a is
// how fast its error changes with its value. It sorts the resamples.
func BCa(resamples []float64, estimate, acceleration float64) (low, high float64) {
	slices.Sort(resamples)
	n := float64(len(resamples))
	below := 0.0
	for _, x := range resamples {
		switch {
		case x < estimate:
			below++
		case x == estimate:
			below += 0.5
		}
	}
	z0 := distuv.UnitNormal.Quantile(min(max(below, 0.5), n-0.5) / n)
	at := func(z float64) float64 {
		share := distuv.UnitNormal.CDF(z0 + (z0+z)/max(1e-9, 1-acceleration*(z0+z)))
		return stat.Quantile(share, stat.LinInterp, resamples, nil)
	}
	return at(-Z95), at(Z95)
}

// Acceleration is BCa's for an estimate from several samples, given how far each unit
// of theirs moves it: Σ u³ / 6 (Σ u²)^(3/2), over the units of all samples, a sample's
// mean taken off (Davison and Hinkley 1997, 5.3). Influences come with how many units
// have them.
func Acceleration(samples [][]Weighted) float64 {
	squares, cubes := 0.0, 0.0
	for _, sample := range samples {
		mean, total := 0.0, 0.0
		for _, u := range sample {
			mean, total = mean+u.Count*u.Influence, total+u.Count
		}
		for _, u := range sample {
			d := u.Influence - mean/total
			squares, cubes = squares+u.Count*d*d, cubes+u.Count*d*d*d
		}
	}
	if squares == 0 {
		return 0
	}
	return cubes / (6 * math.Pow(squares, 1.5))
}

// Weighted is the influence that so many units have.
type Weighted struct{ Influence, Count float64 }
