package prefs_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/agon-rl/agon/prefs"
)

// Every column of the chosen action changes places with that of the rejected one, also
// columns that are to come.
func TestSwapped(t *testing.T) {
	var p prefs.Pair
	v := reflect.ValueOf(&p).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString(v.Type().Field(i).Name)
		case reflect.Int32, reflect.Int64:
			f.SetInt(int64(i))
		case reflect.Float64:
			f.SetFloat(float64(i))
		}
	}
	swapped := reflect.ValueOf(p.Swapped())
	columns := 0
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		from := strings.NewReplacer("Chosen", "Rejected", "Rejected", "Chosen").Replace(name)
		if name == "Doubt" {
			continue
		}
		if got, want := swapped.Field(i).Interface(), v.FieldByName(from).Interface(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, expected %v", name, got, want)
		}
		if from != name {
			columns++
		}
	}
	if columns != 14 {
		t.Errorf("%d columns of either action, expected 14", columns)
	}
	if p.Swapped().Doubt != 0 {
		t.Error("the doubt of the old label stayed")
	}
}
