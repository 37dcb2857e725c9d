package synth

import "strings"

// The parts that names are made of. Nobody is meant.
var (
	onsets  = strings.Fields("Al Ber Cor Dor El Fal Gar Hol In Jor Kel Lor Mar Nor Or Pel Quin Ros Sal Tor Ul Var Wes Yor Zel")
	middles = strings.Fields("a e i o an en in on ar er ir or as is os el il ol um ay")
	ends    = strings.Fields("berg dale ford ger ham kov lund man nes quist rez sen son stein ström ton vic wood yer zak")
	given   = strings.Fields("Ada Bea Carl Dina Egon Fred Gina Hugo Ines Jan Kira Leo Mia Nils Olga Paul Rita Stan Tara Uwe Vera Walt Xena Yves Zoë")
	second  = strings.Fields("Lee Ann Max Kay Tom Sue Ben Joy Ray May Jo Al Fay Ian Uma")

	japanese = [2][][3]string{
		{{"Yamada", "山田", "やまだ"}, {"Suzuki", "鈴木", "すずき"}, {"Tanaka", "田中", "たなか"}, {"Mori", "森", "もり"}, {"Kobayashi", "小林", "こばやし"}},
		{{"Tarou", "太郎", "たろう"}, {"Hanako", "花子", "はなこ"}, {"Jirou", "次郎", "じろう"}, {"Yuki", "雪", "ゆき"}},
	}
	korean = [2][][3]string{
		{{"Hong", "洪", "홍"}, {"Kim", "金", "김"}, {"Park", "朴", "박"}, {"Choi", "崔", "최"}},
		{{"Gildong", "吉洞", "길동"}, {"Minsu", "民秀", "민수"}, {"Jiyeon", "智妍", "지연"}},
	}
	chinese = [2][][3]string{
		{{"Wang", "王", ""}, {"Li", "李", ""}, {"Zhang", "张", ""}, {"Chen", "陈", ""}},
		{{"XiaoDong", "小东", ""}, {"Lihua", "丽华", ""}, {"Wei", "伟", ""}},
	}
)

// Person is the name of patient n of a seed as a value of VR PN (PS3.5 6.2.1): most have one
// component group, in ten of a hundred there are two or three.
func Person(seed, n int64) string {
	h := mix(uint64(seed), uint64(n))
	switch n % 30 {
	case 7:
		return groups(japanese, &h)
	case 17:
		return groups(korean, &h)
	case 27:
		return groups(chinese, &h)
	}
	family := pick(onsets, &h) + pick(middles, &h) + pick(ends, &h)
	first := pick(given, &h)
	if take(&h, 3) == 0 {
		return family + "^" + first + "^" + pick(second, &h)
	}
	return family + "^" + first
}

// groups joins the alphabetic, ideographic and phonetic forms of a name.
func groups(table [2][][3]string, h *uint64) string {
	family, first := pick(table[0], h), pick(table[1], h)
	var out []string
	for i := range family {
		if family[i] != "" {
			out = append(out, family[i]+"^"+first[i])
		}
	}
	return strings.Join(out, "=")
}

func pick[T any](of []T, h *uint64) T { return of[take(h, uint64(len(of)))] }

// take splits a number below n off h.
func take(h *uint64, n uint64) uint64 {
	*h = mix(*h, n)
	return *h % n
}

// mix is a well-spread number of two others (the finisher of splitmix64).
func mix(a, b uint64) uint64 {
	x := a*0x9E3779B97F4A7C15 + b + 0x632BE59BD9B4E019
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
