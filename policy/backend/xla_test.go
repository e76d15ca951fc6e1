package backend_test

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/agon-rl/agon/policy/backend"
	_ "github.com/agon-rl/agon/policy/backend/xla" // the tests open what users of the program open
)

// TestXLA fetches the CPU plugin by pip into the folder of AGON_PJRT_DIR, or
// into a folder that the test removes, and trains the same network on it and
// in Go. It downloads 63 MB and so runs only with AGON_TEST_XLA=1.
func TestXLA(t *testing.T) {
	if os.Getenv("AGON_TEST_XLA") != "1" {
		t.Skip("set AGON_TEST_XLA=1 to fetch XLA's plugin and test with it")
	}
	if os.Getenv(backend.DirEnv) == "" {
		t.Setenv(backend.DirEnv, t.TempDir())
	}
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", "")
	done, err := backend.Install(t.Context(), "cpu", backend.ViaPip, "")
	if err != nil {
		t.Fatal(err)
	}
	b, choice, err := backend.Open(backend.CPU)
	if err != nil {
		t.Fatal(err)
	}
	b.Finalize()
	if choice.Plugin != done.Plugin {
		t.Errorf("opened %s, installed %s", choice.Plugin, done.Plugin)
	}
	for _, e := range backend.List() {
		if e.Name == backend.CPU && (!e.Available || e.Plugin != done.Plugin || e.Version != done.Version) {
			t.Errorf("List: %+v, installed %+v", e, done)
		}
	}
	in, xla := train(t, backend.Go), train(t, backend.CPU)
	for i := range in {
		if math.Abs(float64(in[i]-xla[i])) > 1e-5 {
			t.Errorf("step %d: loss %g in Go, %g on XLA", i, in[i], xla[i])
		}
	}
	if !(in[len(in)-1] < in[0]) {
		t.Errorf("20 steps took the loss from %g to %g", in[0], in[len(in)-1])
	}
}

// A file that is no plugin is refused, not loaded.
func TestOpenBrokenPlugin(t *testing.T) {
	hidePlugins(t)
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/pjrt_c_api_cpu_plugin.so", []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", dir)
	if _, _, err := backend.Open(backend.CPU); err == nil || !strings.Contains(err.Error(), dir) && !strings.Contains(err.Error(), "not part of this program") || strings.Contains(err.Error(), "\n") {
		t.Errorf("Open: %v", err)
	}
	b, choice, err := backend.Open(backend.Auto)
	if err != nil {
		t.Fatal(err)
	}
	b.Finalize()
	if choice.Name != backend.Go || strings.Contains(choice.Why, "\n") {
		t.Errorf("auto chose %s", choice)
	}
}
