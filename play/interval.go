package play

import "math"

// z is the normal distribution's quantile of 95 % intervals.
const z = 1.96

// Wilson returns the 95 % interval of a rate of which k in n were seen (Wilson
// 1927):
//
//	(p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n),  p = k/n
func Wilson(k, n int) [2]float64 {
	games := float64(n)
	p, scale := float64(k)/games, 1+z*z/games
	centre := (p + z*z/(2*games)) / scale
	half := z / scale * math.Sqrt(p*(1-p)/games+z*z/(4*games*games))
	return [2]float64{centre - half, centre + half}
}

// MeanInterval returns a 95 % interval of the mean of returns between least and
// most. It is the normal approximation after z²/2 more games at the least and
// z²/2 at the most: Agresti and Coull's (1998) of a rate, which is Wilson's
// widened a little, carried over to any returns. So games that all ended alike
// still leave room for one that does not; the approximation alone would give
// them no width.
func MeanInterval(returns []float64, least, most float64) [2]float64 {
	n := float64(len(returns)) + z*z
	mean := z * z / 2 * (least + most) / n
	for _, x := range returns {
		mean += x / n
	}
	square := func(x float64) float64 { return (x - mean) * (x - mean) / n }
	variance := z * z / 2 * (square(least) + square(most))
	for _, x := range returns {
		variance += square(x)
	}
	half := z * math.Sqrt(variance/n)
	return [2]float64{math.Max(least, mean-half), math.Min(most, mean+half)}
}
