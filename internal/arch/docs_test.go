package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentsNameWhatExists holds the documents to the tree: a path in backquotes must be
// there.
func TestDocumentsNameWhatExists(t *testing.T) {
	root := filepath.Join("..", "..")
	path := regexp.MustCompile("`((?:cmd|dicom|dimse|docs|examples|internal|service|ul|tools|changelog)/[a-z0-9_/.-]+)`")
	for _, doc := range []string{"docs/follow-the-bytes.md", "README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/not-provided.md", "docs/dependencies.md"} {
		b, err := os.ReadFile(filepath.Join(root, doc))
		if err != nil {
			t.Fatal(err)
		}
		found := path.FindAllStringSubmatch(string(b), -1)
		for _, m := range found {
			name := strings.TrimSuffix(strings.TrimSuffix(m[1], "..."), "/")
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("%s names %s, which is not there", doc, m[1])
			}
		}
		if doc == "docs/follow-the-bytes.md" && len(found) < 10 {
			t.Errorf("%s names only %d paths", doc, len(found))
		}
	}
}
