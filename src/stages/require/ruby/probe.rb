# Says which gems this interpreter has, without executing any of them, and requires what is to be imported.
#
#     ruby -e THIS -- [module NAME VERSIONS | import NAME]...
#
# Answers in "@embark KEY VALUE" lines on descriptor 1, of which core/languages/ruby/gems.h and core/languages/reply/imports.h say the meaning.
# Bundler is not started: where it would look (BUNDLE_PATH, .bundle/config, vendor/bundle) is added to Gem's own path.
$embark_out = IO.new(IO.sysopen("/dev/fd/1", "w")) rescue $embark_out = STDOUT.dup
$embark_out.sync = true

def say(key, value = "")
  text = value.to_s.gsub(/[\\\n\r\0]/) { |c| { "\\" => "\\\\", "\n" => "\\n", "\r" => "\\r", "\0" => "" }[c] }
  $embark_out.write("\n@embark #{key} #{text}\n")
end

def bundle_paths
  paths = [ENV["BUNDLE_PATH"]]
  [ENV["BUNDLE_APP_CONFIG"], ".bundle", File.join(Dir.home, ".bundle")].compact.each do |folder|
    file = File.join(folder, "config")
    next unless File.file?(file)
    File.foreach(file) { |line| paths << $1 if line =~ /\ABUNDLE_PATH:\s*"?([^"\n]+)"?/ }
  end
  paths << "vendor/bundle"
  paths.compact.reject(&:empty?).uniq.map { |path| File.expand_path(path) }.select { |path| File.directory?(path) }
end

def gem_folders
  bundle_paths.flat_map { |path| [path, *Dir.glob(File.join(path, Gem.ruby_engine, "*"))] }
              .select { |path| File.directory?(File.join(path, "specifications")) }
end

def feature?(name)
  ends = [".rb", ".so", ".bundle", ".jar"]
  folders = ENV["EMBARK_RUBYLIB"].to_s.split(File::PATH_SEPARATOR) + $LOAD_PATH # RUBYLIB
  folders.any? { |folder| ends.any? { |e| File.file?(File.join(folder.to_s, name.tr("-", "/") + e)) } }
end

def look(name, versions)
  say "gem", name
  all = Gem::Specification.stubs.select { |spec| spec.name == name }
  all = all.sort_by(&:version).reverse
  all.each do |spec|
    say "gem-version", spec.version
    say "gem-at", spec.full_gem_path
  end
  wanted = Gem::Requirement.new(*versions.split(",").map(&:strip))
  fits = all.select { |spec| wanted.satisfied_by?(spec.version) }
  whole = fits.find { |spec| spec.default_gem? || File.directory?(spec.full_gem_path) }
  return say("gem-found", whole.version) if whole
  return say("gem-hollow", fits.first.full_gem_path) unless fits.empty?
  return say("gem-feature") if all.empty? && feature?(name)
  return unless all.empty?
  names = Gem::Specification.stubs.map(&:name).uniq
  if defined?(DidYouMean::SpellChecker)
    near = DidYouMean::SpellChecker.new(dictionary: names).correct(name).first
    say "gem-near", near if near
  end
  broken = Dir.glob(Gem.path.map { |path| File.join(path, "gems", name + "-[0-9]*") }).first
  say "gem-files", broken if broken
end

def try(name)
  say "importing", name
  begin
    require name
  rescue Exception => error
    say "import-error", error.message
    say "import-type", error.class
    say "import-name", (error.path if error.respond_to?(:path)).to_s
    say "import-at", (error.backtrace || []).reject { |line| line =~ /rubygems|bundled_gems|<internal:|\A-e:/ }.first.to_s[/\A(.*?:\d+)/, 1]
    return
  end
  say "imported", name
end

words = ARGV.dup
ARGV.clear
$stdout.reopen($stderr) # what is printed by a gem is no answer
say "ruby", RUBY_VERSION
begin
  folders = gem_folders
  unless folders.empty?
    Gem.paths = { "GEM_PATH" => (folders + Gem.path).uniq.join(File::PATH_SEPARATOR), "GEM_HOME" => Gem.dir }
  end
rescue StandardError => error
  say "doubt", error.message
end
Gem.path.each { |path| say "gem-path", path }
imports = []
until words.empty?
  case words.shift
  when "module" then look(words.shift, words.shift)
  when "import" then imports << words.shift
  end
end
say "end"
imports.each { |name| try(name) }
$embark_out.flush
exit! 0
