<?php
// Loads what [require] import = php: NAME… names: extensions ("ext-pdo") and classes, by Composer's autoloader.
//
//     php -r THIS -- AUTOLOAD NAME...
//
// Answers in "@embark KEY VALUE" lines on descriptor 1; core/languages/reply/imports.h says their meaning. What is printed meanwhile goes
// to stderr.
$out = fopen('php://fd/1', 'w');
ob_start(function ($text) { fwrite(STDERR, $text); return ''; }, 1);
$say = function ($key, $value = '') use ($out) {
    fwrite($out, "\n@embark $key " . strtr($value, ["\\" => '\\\\', "\n" => '\\n', "\r" => '\\r', "\0" => '']) . "\n");
};
$autoload = $argv[1];
$loaded = false;
foreach (array_slice($argv, 2) as $name) {
    $say('importing', $name);
    try {
        if (strncmp($name, 'ext-', 4) === 0) {
            if (!extension_loaded(substr($name, 4))) {
                throw new Exception('the extension ' . substr($name, 4) . ' is not loaded; php.ini: ' . (php_ini_loaded_file() ?: 'none')
                    . ', and what is in ' . dirname(trim(explode(',', php_ini_scanned_files() ?: 'nowhere/x')[0])));
            }
        } else {
            if (!$loaded && $autoload !== '') {
                require_once $autoload;
                $loaded = true;
            }
            if (!class_exists($name) && !interface_exists($name) && !trait_exists($name) && !function_exists($name)) {
                throw new Exception('there is no class, interface, trait or function of that name'
                    . ($autoload === '' ? '; there is no vendor/autoload.php' : ''));
            }
        }
    } catch (Throwable $error) {
        $say('import-error', $error->getMessage());
        $say('import-type', get_class($error));
        $say('import-at', $error->getFile() === 'Command line code' ? '' : $error->getFile() . ':' . $error->getLine());
        continue;
    }
    $say('imported', $name);
}
